"""The networks behind the Open Inference Protocol, without the site. Started by `make model-server`."""
