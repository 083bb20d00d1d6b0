"""Health: what a body did, as the devices that watched it tell."""
