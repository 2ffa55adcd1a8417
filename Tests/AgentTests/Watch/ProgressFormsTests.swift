import Shared
import Testing

@testable import Agent

/// What real trainers print, and the step that is right. A new trainer is one more row.
@Suite struct ProgressFormsTests {
    private static let bar = "█████     "

    private static func read(_ text: String) throws -> Progress {
        var reader = try ProgressReader(pattern: nil)
        reader.read(Array(text.utf8)[...])
        reader.read([])
        return reader.progress
    }

    static let forms: [(trainer: String, text: String, step: Double?)] = [
        ("transformers, its bar", "\r 10%|\(bar)| 105/1000 [00:10<01:30,  9.9it/s]", 105),
        ("transformers, a dictionary", "{'loss': 0.5, 'learning_rate': 5e-05, 'epoch': 1.25}\n", 1.25),
        ("transformers 5, texts in the dictionary", "{'loss': '0.5', 'epoch': '1.25'}\n", 1.25),
        (
            "transformers, evaluation beside the training",
            "\r 10%|\(bar)| 105/1000 [00:10<01:30,  9.9it/s]\n\r 50%|\(bar)| 7/14 [00:01<00:01,  6.9it/s]", 105
        ),
        ("Lightning", "\rEpoch 3:  10%|\(bar)| 118/1000 [00:10<01:30,  9.9it/s, v_num=0, train_loss=0.5]", 118),
        (
            "Lightning, loss on step and on epoch",
            "\rEpoch 3:  10%|\(bar)| 118/1000 [00:10<01:30,  9.9it/s, v_num=0, train_loss_step=0.503, train_loss_epoch=0.611]",
            118
        ),
        (
            "Lightning, validation",
            "\rEpoch 3: 100%|\(bar)| 1000/1000 [00:10<00:00]\n\rValidation DataLoader 0:  10%|\(bar)| 3/30 [00:01<00:09]",
            1000
        ),
        ("Lightning, sanity check", "\rSanity Checking DataLoader 0:  50%|\(bar)| 1/2 [00:00<00:00]", nil),
        (
            "Lightning with Rich", "Epoch 3/9 ━━━━━━━━━ 118/1000 0:00:10 • 0:01:30 9.90it/s v_num: 0 train_loss: 0.5\n",
            118
        ),
        ("diffusers", "\rSteps:  17%|\(bar)| 174/1000 [00:10<01:30,  9.9it/s, lr=1e-5, step_loss=0.1]", 174),
        ("kohya", "\rsteps:  10%|\(bar)| 174/1000 [00:10<01:30,  9.9it/s, avr_loss=0.1]", 174),
        (
            "kohya, sample images",
            "\rsteps:  10%|\(bar)| 174/1000 [00:10<01:30,  9.9it/s]\n\r 40%|\(bar)| 12/30 [00:02<00:03,  5.9it/s]", 174
        ),
        ("Keras 2", "\r 123/1000 [==>...........................] - ETA: 10s - loss: 1.0000", 123),
        (
            "Keras 3",
            "\r\u{1b}[1m 123/1000\u{1b}[0m \u{1b}[32m━━\u{1b}[0m\u{1b}[37m━━━━\u{1b}[0m \u{1b}[1m10s\u{1b}[0m 12ms/step - loss: 1.0000",
            123
        ),
        ("Keras, one line an epoch", "1000/1000 - 12s - 12ms/step - loss: 0.5000\n", 1000),
        (
            "ultralytics",
            "\r      1/100      2.53G      1.131      2.101      1.213         12        640:  45%|\(bar)| 118/262 [00:10<00:14]",
            118
        ),
        (
            "ultralytics, its own bar",
            "\r      1/100      2.53G      1.131      2.101      1.213         12        640: 45% ━━━━╸─────── 118/262 9.9it/s 10.2s<14.4s",
            118
        ),
        (
            "ultralytics, validation",
            "\r                 Class     Images  Instances      Box(P          R      mAP50  mAP50-95):  50%|\(bar)| 3/6 [00:01<00:01]",
            nil
        ),
        ("nanoGPT", "iter 250: loss 2.5123, time 100.12ms, mfu 5.23%\n", 250),
        ("nanoGPT, evaluation", "step 250: train loss 2.5123, val loss 2.6123\n", 250),
        (
            "ImageNet example",
            "Epoch: [3][ 100/5005]\tTime  0.1 (  0.2)\tData  0.0 (  0.1)\tLoss 5.3e+00 (5.4e+00)\tAcc@1   1.00 (  0.90)\n",
            100
        ),
        ("ImageNet example, test", "Test: [ 100/391]\tTime  0.1 (  0.2)\tLoss 5.3e+00 (5.4e+00)\n", nil),
        ("torchvision", "Epoch: [3]  [ 118/5005]  eta: 0:10:00  lr: 0.1  img/s: 300  loss: 5.3 (5.4)\n", 118),
        ("torchvision, test", "Test:   [  0/782]  eta: 0:10:00  loss: 5.3 (5.4)\n", nil),
        (
            "timm", "Train: 3 [  42/1000 (  4%)]  Loss: 5.30 (5.40)  Time: 0.120s, 8.3/s  LR: 1.000e-03\n", 42
        ),
        ("timm, test", "Test: [  10/78]  Time: 0.1 (0.1)  Loss: 1.1 (1.0)\n", nil),
        (
            "detectron2",
            "[11/30 12:00:00 d2.utils.events]:  eta: 0:10:00  iter: 99  total_loss: 1.5  loss_cls: 0.5  lr: 0.01  max_mem: 2000M\n",
            99
        ),
        (
            "mmengine",
            "11/30 12:00:00 - mmengine - INFO - Epoch(train)  [3][ 118/1000]  lr: 1.0e-02  eta: 1:00:00  loss: 0.5\n",
            118
        ),
        ("mmengine, by iterations", "11/30 12:00:00 - mmengine - INFO - Iter(train) [  147/20000]  lr: 1.0e-02\n", 147),
        ("mmengine, validation", "11/30 12:00:00 - mmengine - INFO - Epoch(val) [3][10/50]    eta: 0:00:10\n", nil),
        ("mmcv", "2026-11-30 12:00:00,000 - mmdet - INFO - Epoch [3][118/1000]\tlr: 1.000e-02, eta: 1:00:00\n", 118),
        (
            "fairseq, bar",
            "\repoch 003:  12%|\(bar)| 118/1000 [00:10<01:30, 9.9it/s, loss=5.3, ppl=40, num_updates=2118, lr=0.0005]",
            2118
        ),
        (
            "fairseq, simple", "epoch 003:    118 / 1000 loss=5.3, ppl=40.1, wps=9000, num_updates=2118, lr=0.0005\n",
            2118
        ),
        (
            "fairseq, JSON",
            #"2026-11-30 12:00:00 | INFO | train_inner | {"epoch": 3, "update": 2.118, "loss": "5.3", "num_updates": "2118"}"#
                + "\n",
            2118
        ),
        (
            "Megatron",
            " [2026-11-30 12:00:00] iteration      147/  500000 | consumed samples:         1176 | lm loss: 1.1E+01 |\n",
            147
        ),
        (
            "DeepSpeed",
            "[2026-11-30 12:00:00,000] [INFO] [logging.py:96:log_dist] [Rank 0] step=10, skipped=0, lr=[1e-05]\n", 10
        ),
        (
            "torchtitan",
            "\u{1b}[32m[titan] 2026-11-30 12:00:00,000 - root - INFO - \u{1b}[31mstep: 10  \u{1b}[32mloss:  7.1  \u{1b}[33mgrad_norm:  1.2\u{1b}[39m\n",
            10
        ),
        ("torchtune, bar", "\r1|118|Loss: 0.53:  12%|\(bar)| 118/1000 [00:10<01:30,  9.9it/s]", 118),
        ("torchtune, log", "Step 118 | loss:0.53 lr:2e-05 tokens_per_second_per_gpu:1000\n", 118),
        ("litgpt", "Epoch 1 | iter 118 step 29 | loss train: 1.500, val: n/a | iter time: 100.0 ms (step)\n", 118),
        (
            "NeMo 2",
            "Training epoch 0, iteration 117/999 | lr: 1e-05 | global_batch_size: 8 | global_step: 117 | reduced_train_loss: 11.03\n",
            117
        ),
        ("Composer", "\rtrain          Epoch   0:    12%|\(bar)| 118/1000 [00:10<01:30]", 118),
        ("Composer, evaluation", "\reval          Epoch   0:    12%|\(bar)| 3/30 [00:10<01:30]", nil),
        (
            "MaxText",
            "completed step: 118, seconds: 0.512, TFLOP/s/device: 100.1, Tokens/s/device: 8000.1, loss: 9.2\n", 118
        ),
        (
            "levanter",
            "Progress on:train 118it/1.00kit rate:10.0it/s remaining:01:28 elapsed:00:12 postfix:loss 9.2\n", 118
        ),
        ("verl", "step:118 - global_seqlen/min:1234 - actor/entropy:0.5 - actor/pg_loss:0.01\n", 118),
        (
            "OpenNMT", "[2026-11-30 12:00:00,000 INFO] Step 118/1000; acc: 12.3; ppl: 400.1; xent: 6.0; lr: 0.001;\n",
            118
        ),
        (
            "ESPnet",
            "[host] 2026-11-30 12:00:00,000 (trainer:721) INFO: 3epoch:train:101-150batch: iter_time=0.1, loss=90.1\n",
            150
        ),
        ("Coqui", "\u{1b}[1m   --> STEP: 118/1000 -- GLOBAL_STEP: 2118\u{1b}[0m\n", 2118),
        ("RVC", "INFO:voice:Train Epoch: 3 [12%]\n", 3),
        (
            "Stable-Baselines3",
            "| time/                   |              |\n|    fps                  | 800          |\n|    total_timesteps      | 152          |\n",
            152
        ),
        (
            "rsl_rl", "                       \u{1b}[1m Learning iteration 118/1500 \u{1b}[0m                       \n",
            118
        ),
        (
            "rl_games",
            "fps step: 112918 fps step and policy inference: 104337 fps total: 78179 epoch: 53/150 frames: 54272\n", 53
        ),
        (
            "lerobot", "INFO 2026-11-30 12:00:00 train.py:350 step:10K smpl:80K ep:53 epch:1.64 loss:0.234 grdn:21.1\n",
            10000
        ),
        ("XGBoost", "[118]\ttrain-rmse:0.50000\teval-rmse:0.60000\n", 118),
        ("LightGBM", "[118]\ttraining's l2: 0.5\tvalid_1's l2: 0.6\n", 118),
        (
            "CatBoost", "118:\tlearn: 0.5000000\ttest: 0.6000000\tbest: 0.6000000 (117)\ttotal: 1.2s\tremaining: 9s\n",
            118
        ),
        ("tqdm without an end", "\r118it [00:10,  9.90it/s]", 118),
        ("tqdm with scaled units", "\r 12%|\(bar)| 1.17k/10.0k [00:10<01:30,  9.9it/s]", 1170),
        ("tqdm without a bar", "\r118/1000 [00:10<01:30]", 118),
        ("tqdm in ASCII", "\rtrain:  12%|#2        | 118/1000 [00:10<01:30,  1.2s/it]", 118),
        ("torchrun with --tee", "[default0]: 10%|\(bar)| 108/1000 [00:10<01:30,  9.9it/s]\n", 108),
        ("srun with --label", "0: step 12 loss 0.5\n1: step 12 loss 0.6\n", 12),
        ("mpirun with --tag-output", "[1,0]<stdout>:step 12 loss 0.5\n", 12),
        ("Ray", "(RayTrainWorker pid=1234, ip=10.0.0.1) step 12 loss 0.5\n", 12),
        ("JSON lines", #"{"global_step": 118, "loss": 0.5, "lr": 1e-4}"# + "\n", 118),
        (
            "a data set that is prepared",
            "Map (num_proc=8): 100%|\(bar)| 52002/52002 [00:10<00:00, 5000.0 examples/s]\n", nil
        ),
        ("a checkpoint that is loaded", "\rLoading checkpoint shards:  50%|\(bar)| 1/2 [00:10<00:10,  9.9s/it]", nil),
        ("a download", "\rmodel.safetensors:  12%|\(bar)| 118M/988M [00:10<01:30, 40.0MB/s]", nil),
        ("a config that is printed", "save_steps=500 logging_steps: 10 warmup_steps=100 'max_steps': 1000\n", nil),
        (
            "numbers of a summary",
            "  Num examples = 500\n  Gradient Accumulation steps = 4\n  Total optimization steps = 1,000\n", nil
        ),
    ]

    @Test("the step of each trainer is read", arguments: forms)
    func step(trainer: String, text: String, step: Double?) throws {
        #expect(try Self.read(text).step == step, "\(trainer)")
    }
}
