"""Model server: the networks by the Open Inference Protocol, without the site. Start it with `make
model-server`.
"""
