"""The stack on a real container engine: the real compose file and image, on stand-ins of the servers from Debian's packages.

`make engine` runs it; `make test` leaves it out. It needs Docker with Compose v2 (DOCKER_HOST says where) and, for the
first time, the network and either debootstrap as root or TWINNING_TEST_PYTHON_IMAGE, a Debian image with python3.
"""
