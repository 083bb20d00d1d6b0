"""What recordings say of themselves, read from their containers alone: nothing is decoded, and no codec is needed.

`recording` says what comes out and guards the reading; `iso_media`, `mpeg_audio`, `riff_wave`, `ogg` and `webm` know
one container each; `probe` finds out which it is.
"""
