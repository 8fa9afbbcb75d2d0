from space.cli import main

main()
