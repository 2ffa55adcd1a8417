"""Trains a small GPT-2 on the bytes of a text, as the examples of transformers do. All options are the Trainer's."""

from dataclasses import dataclass

from transformers import GPT2Config, GPT2LMHeadModel, HfArgumentParser, Trainer, TrainingArguments, set_seed


@dataclass
class DataArguments:
    text: str


data, arguments = HfArgumentParser((DataArguments, TrainingArguments)).parse_args_into_dataclasses()
set_seed(arguments.seed)
length = 64
with open(data.text, "rb") as file:
    text = list(file.read())
blocks = [text[start : start + length] for start in range(0, len(text) - length, length)]
examples = [{"input_ids": block, "labels": block} for block in blocks]
# The last blocks are for evaluation.
train, test = examples[:-20], examples[-20:]
config = GPT2Config(vocab_size=256, n_positions=length, n_embd=256, n_layer=2, n_head=4, bos_token_id=0, eos_token_id=0)
trainer = Trainer(model=GPT2LMHeadModel(config), args=arguments, train_dataset=train, eval_dataset=test)
trainer.train(resume_from_checkpoint=arguments.resume_from_checkpoint)
trainer.save_model("final")
