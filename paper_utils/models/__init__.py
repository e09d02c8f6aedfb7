"""A Vision Transformer, its LoRA adapter and regression head, and the CPU kernels they run on."""
