module kolab.org/lab/tools

go 1.25.0
