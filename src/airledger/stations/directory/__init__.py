"""Being a directory for others: clicks and votes, Radio Browser's view of the catalogue, playlists and tables."""
