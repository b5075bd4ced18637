"""Configuration of the monitoring: settings in, the text of one daemon's file out.

Targets and probes come from the connections of model/topology, so that nothing is scraped that a NetworkPolicy forbids;
alerts only use metrics that some target really has (each names its source).
"""
