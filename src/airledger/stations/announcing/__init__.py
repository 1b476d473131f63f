"""Being a directory ourselves: Icecast servers announce their mounts to us, as they do to dir.xiph.org."""
