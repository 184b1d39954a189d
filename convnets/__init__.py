"""The learner's toolkit of *Convolutional networks, by hand*."""
