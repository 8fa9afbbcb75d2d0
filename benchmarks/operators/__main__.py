from benchmarks.operators import main

main()
