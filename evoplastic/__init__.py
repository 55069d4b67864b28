"""evoplastic evolves networks that learn.

Importing the package needs torch and numpy alone; it touches no device, reads no file and fills
no registry. The command line is `python -m evoplastic`.
"""

__version__ = "0.1.0"
