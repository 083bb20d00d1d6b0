"""Dashboards of Grafana as code: pages of questions about a person's days, each answered by a query of the facts.

vocabulary   what a dashboard is made of: sections of panels, each a question with a query, a unit and a look
visuals      the looks, in Grafana's words; units, palette: what numbers are called and how they are coloured
asking       pieces of SQL: whose days, from when to when; dense: the same of the series in InfluxDB
facts        panels that any fact of the catalogue may have
today, …     the dashboards, a module for each
grid         where panels stand; rendering: all of it as Grafana's JSON
every, written   all dashboards, and the folder that Grafana reads
"""
