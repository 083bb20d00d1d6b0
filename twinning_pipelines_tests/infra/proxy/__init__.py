"""Tests of nginx, its certificates and its questions to Authelia: the shipped files, run by real programs."""
