"""What a tuner waits for, and how much it takes."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TunerLimits:
    """Patience and appetite, per stream.

    Attributes:
        connect_s: until the connection stands.
        answer_s: until the answer's headers are complete, redirects included.
        stall_s: between two arrivals of bytes.
        sniff_s: from the headers until the first bytes must tell what they are.
        first_sound_s: from the headers until the first sound.
        drain_s: from the end of the bytes until the decoder must be done with them.
        playlist_bytes: a playlist in front of a stream.
        playlist_entries: tried in a playlist.
        playlist_depth: playlists in playlists.
        hls_playlist_bytes: an HLS playlist.
        hls_segment_bytes: one HLS segment.
        hls_behind_segments: how far behind the live edge hearing starts.
        hls_failures: segments or playlists that may fail in a row.
        head_start_s: sound that may come at any speed (bursts, the window of an HLS playlist).
        max_speed: times real time that may come after that; a server that floods us costs no more than so much.
        streams_per_child: in one decoder process.
        breath_s: between two looks at connections that are quiet; 0 looks at each packet.
        piece_s: sound is handed on in pieces of about so much.
    """

    connect_s: float = 10.0
    answer_s: float = 15.0
    stall_s: float = 15.0
    sniff_s: float = 8.0
    first_sound_s: float = 30.0
    drain_s: float = 10.0
    playlist_bytes: int = 256 * 1024
    playlist_entries: int = 8
    playlist_depth: int = 3
    hls_playlist_bytes: int = 1 << 20
    hls_segment_bytes: int = 64 << 20
    hls_behind_segments: int = 3
    hls_failures: int = 3
    head_start_s: float = 120.0
    max_speed: float = 20.0
    streams_per_child: int = 32
    breath_s: float = 0.0
    piece_s: float = 0.2


LIVE = TunerLimits(breath_s=0.5, piece_s=1.0)
"""For hearing hundreds of streams for hours: half a second of delay costs nothing there, and saves much work."""
