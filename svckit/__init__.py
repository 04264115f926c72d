"""What any service here stands on: lifecycle, servers, codec, settings, telemetry.

Knows neither auth nor catalog; they import it, never the other way round.
"""
