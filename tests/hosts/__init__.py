"""Hosts for tests: network namespaces with addresses, folders and processes of their own, on a switch that can fail.

All of it lives in a network namespace of the process that asks for it (`private_network`): no interface, address or
process of the machine is touched, and everything is gone with that process, however it ends.
"""
