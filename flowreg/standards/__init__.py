"""What is known of a version, in the forms that other tools read: OpenLineage, CycloneDX, in-toto with SLSA, a model card.

Rule 1: ``told`` gathers one frozen value; every form is a pure function of it. The same state gives the same bytes.
Rule 2: times come from the journal. No form reads a clock, the environment or the network; only ``sending`` sends.
Rule 3: what is not known is left out. No form says more than the journal does, and none is signed.
"""
