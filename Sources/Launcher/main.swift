import Shared

print("launch")
