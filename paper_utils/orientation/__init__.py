"""What a ViT makes of the line images of arXiv 2504.09393: the released heads on a frozen one, and with real LoRA."""
