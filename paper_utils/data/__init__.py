"""From a seed to a labelled image: chirps, the canvas all images share, rendering, regions and folders; loads without torch."""
