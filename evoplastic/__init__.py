"""evoplastic evolves networks that learn.

Importing the package needs torch and numpy alone; it touches no device, reads no file and fills
no registry. The command line is `python -m evoplastic`.
"""

from evoplastic.user_code import own_names

own_names.install()

__version__ = "0.1.0"
