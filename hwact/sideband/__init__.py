"""What units share whose samples carry more than an input code: ports, shell, benches and simulation."""
