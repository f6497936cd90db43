"""What changes under image noise, blur, occlusion and small attacks: accuracy, skip sets, and redundancy itself."""
