"""HMI's SHARP keywords: asked of JSOC and kept, or read from recorded tables; rules, rows, labels."""
