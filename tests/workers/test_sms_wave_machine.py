"""Both wave workers under everything that may happen to them."""

from hypothesis import settings

from campaign_workers.testing.machines.waves import WaveMachine

TestWaves = WaveMachine.TestCase
TestWaves.settings = settings(stateful_step_count=15)
