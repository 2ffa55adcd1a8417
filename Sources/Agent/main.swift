import Shared
print("pod-agent")
