"""What the commands of `spanward` do, one module each; `sensor.cli` imports them when they are called."""
