"""Alarms: raised once, counted while they last, cleared by themselves when their cause is gone."""
