"""From structures to the networks' inputs: functions, their products, the transform of them."""
