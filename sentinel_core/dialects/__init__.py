"""Wire formats as codecs without I/O, one module each."""
