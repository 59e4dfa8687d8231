"""Print what is installed here as the pinned lock, without torch (it has a file of its own) and without Duijie."""

from importlib.metadata import distributions

SEPARATE = {"torch", "duijie", "pip", "setuptools", "wheel"}
# What CUDA builds of torch bring along belongs to those machines alone.
MACHINE_BOUND = ("nvidia-", "triton", "cuda-")

found = {d.metadata["Name"].lower().replace("_", "-"): d.version for d in distributions()}
print("# Written by `make lock`. torch is pinned in torch.txt and installed before this file.")
for name, version in sorted(found.items()):
    if name not in SEPARATE and not name.startswith(MACHINE_BOUND):
        print(f"{name}=={version}")
