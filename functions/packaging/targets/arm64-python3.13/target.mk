# Included by functions/Makefile: what the functions are built for when the template says Architecture
# arm64 and PythonRuntime python3.13. SAM names this directory in each function's WorkingDirectory.
ARCHITECTURE := arm64
WHEEL_MACHINE := aarch64
PYTHON_VERSION := 3.13
