package contracttests

// OnlyOverlap is a config whose run makes calls at the same time, and nothing else.
// told gets a line for each try: the operation, the scenario, what porcupine says,
// and the calls.
func (c Config) OnlyOverlap(told func(string)) Config {
	c.phase, c.told = "calls at the same time", told
	return c
}
