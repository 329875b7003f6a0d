"""Public picture sets: scikit-learn's digits, MNIST and CelebA, the last two by torchvision."""
