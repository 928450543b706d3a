package contracttests

// OnlyOverlap is a config whose run makes calls at the same time, and nothing else.
// told gets a line for each try: the operation, the scenario, what porcupine says,
// and the calls.
func (c Config) OnlyOverlap(rounds int, told func(string)) Config {
	c.phase, c.rounds, c.told = "calls at the same time", rounds, told
	return c
}
