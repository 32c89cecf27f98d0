module muster.invalid/stack/timeinterval

go 1.26.0

require (
	github.com/prometheus/alertmanager v0.31.1
	gopkg.in/yaml.v2 v2.4.0
)

tool muster.invalid/stack/timeinterval
