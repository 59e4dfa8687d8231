"""Administrative divisions (GB/T 2260), their east–west class, and partner pairs."""
