"""Fine-tuning: the recipe, its schedule and checkpoints, importance sampling of images, evaluation."""
