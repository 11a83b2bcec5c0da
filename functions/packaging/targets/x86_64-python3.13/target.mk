# Included by functions/Makefile: what the functions are built for when the template says Architecture
# x86_64 and PythonRuntime python3.13. SAM names this directory in each function's WorkingDirectory.
ARCHITECTURE := x86_64
WHEEL_MACHINE := x86_64
PYTHON_VERSION := 3.13
