"""Both wave workers under random events, as a state machine."""

from hypothesis import settings

from campaign_workers.testing.machines.waves import WaveMachine

TestWaves = WaveMachine.TestCase
TestWaves.settings = settings(stateful_step_count=15)
