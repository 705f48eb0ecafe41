"""Where trainings begin, in words."""

STARTS = {
    "scratch": "random weights",
    "imagenet": "torchvision's ImageNet weights",
    "mobilenet_v2_imagenet_trunk.safetensors": "the ImageNet features of Google's quantized "
    "MobileNetV2 1.0/224 (Apache-2.0), dequantized",
}
"""By the option or the file that a training was given."""
