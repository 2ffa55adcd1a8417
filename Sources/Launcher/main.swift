import Shared
print("launch")
