"""GOES X-rays: read, put on a grid of minutes, made into features."""
