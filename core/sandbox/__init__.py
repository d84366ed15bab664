"""The sandbox: a local service that behaves like Plivo and rings a simulated handset.

It is reached by HTTP alone and imports nothing of the rest of `core`, so that what the product
learns of it is what it would learn of Plivo.
"""

from core.sandbox.app import Sandbox

__all__ = ["Sandbox"]
