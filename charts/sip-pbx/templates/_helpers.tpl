{{/* The release's name with the chart's, short enough for what is appended. */}}
{{- define "sip-pbx.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- $name := default .Chart.Name .Values.nameOverride -}}
{{- if contains $name .Release.Name -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 40 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "sip-pbx.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 40 | trimSuffix "-" -}}
{{- end -}}

{{/* Labels that never change, by which pods are selected: (list context component). */}}
{{- define "sip-pbx.selectorLabels" -}}
{{- $context := index . 0 -}}
app.kubernetes.io/name: {{ include "sip-pbx.name" $context }}
app.kubernetes.io/instance: {{ $context.Release.Name }}
app.kubernetes.io/component: {{ index . 1 }}
{{- end -}}

{{/* All labels: (list context component). */}}
{{- define "sip-pbx.labels" -}}
{{- $context := index . 0 -}}
{{- with $context.Values.commonLabels }}
{{- toYaml . }}
{{ end -}}
{{ include "sip-pbx.selectorLabels" . }}
app.kubernetes.io/version: {{ $context.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ $context.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" $context.Chart.Name $context.Chart.Version | replace "+" "_" }}
{{- end -}}

{{- define "sip-pbx.image" -}}
{{- $image := .Values.image -}}
{{- if $image.digest -}}
{{- printf "%s@%s" $image.repository $image.digest -}}
{{- else -}}
{{- printf "%s:%s" $image.repository (default .Chart.AppVersion $image.tag) -}}
{{- end -}}
{{- end -}}

{{- define "sip-pbx.serviceAccountName" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "sip-pbx.fullname" .) .Values.serviceAccount.name -}}
{{- else -}}
{{- default "default" .Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{- define "sip-pbx.secretName" -}}
{{- default (include "sip-pbx.fullname" .) .Values.secrets.existingSecret -}}
{{- end -}}

{{- define "sip-pbx.cdrClaimName" -}}
{{- default (printf "%s-cdr" (include "sip-pbx.fullname" .)) .Values.controlPlane.cdr.persistence.existingClaim -}}
{{- end -}}

{{/* The configuration of the control plane as YAML: common, its own, what the chart knows. */}}
{{- define "sip-pbx.controlConfig" -}}
{{- $own := dict "sip" dict "monitoring" dict "media" (dict "nodes" (list (printf "%s-media:%d" (include "sip-pbx.fullname" .) (int .Values.mediaPlane.controlPort)))) -}}
{{- if eq .Values.ipFamily "IPv6" -}}
{{- $own = mustMergeOverwrite $own (dict "sip" (dict "listen_ip" "" "listen_ipv6" "::") "monitoring" (dict "bind_ip" "::")) -}}
{{- else if eq .Values.ipFamily "Dual" -}}
{{- $own = mustMergeOverwrite $own (dict "sip" (dict "listen_ipv6" "::") "monitoring" (dict "bind_ip" "::")) -}}
{{- end -}}
{{- mustMergeOverwrite $own (deepCopy .Values.config) (deepCopy .Values.controlPlane.config) | toYaml -}}
{{- end -}}

{{/* The same of the media plane, which has nothing to do with events and gets no password for them. */}}
{{- define "sip-pbx.mediaConfig" -}}
{{- $own := dict "monitoring" dict "media" dict -}}
{{- if eq .Values.ipFamily "Dual" -}}
{{- $own = dict "monitoring" dict "media" (dict "bind_ipv6" "::") -}}
{{- end -}}
{{- mustMergeOverwrite $own (omit (deepCopy .Values.config) "kafka" "cdr" "events") (deepCopy .Values.mediaPlane.config) | toYaml -}}
{{- end -}}

{{/* The same of the event plane. */}}
{{- define "sip-pbx.eventConfig" -}}
{{- $own := dict "monitoring" dict -}}
{{- if ne .Values.ipFamily "IPv4" -}}
{{- $own = dict "monitoring" (dict "bind_ip" "::") -}}
{{- end -}}
{{- mustMergeOverwrite $own (deepCopy .Values.config) (deepCopy .Values.eventPlane.config) | toYaml -}}
{{- end -}}

{{/* The configuration of each plane that there is, as YAML by its name. */}}
{{- define "sip-pbx.configs" -}}
{{- $configs := dict "control" (include "sip-pbx.controlConfig" .) "media" (include "sip-pbx.mediaConfig" .) -}}
{{- if .Values.eventPlane.enabled -}}
{{- $_ := set $configs "event" (include "sip-pbx.eventConfig" .) -}}
{{- end -}}
{{- toYaml $configs -}}
{{- end -}}

{{/* Passwords and secrets of what records and events are given to, where there are any. */}}
{{- define "sip-pbx.eventPasswords" -}}
- name: SIP_PBX_KAFKA_PASSWORD
  valueFrom: {secretKeyRef: {name: {{ include "sip-pbx.secretName" . }}, key: {{ .Values.secrets.keys.kafkaPassword }}, optional: true}}
- name: SIP_PBX_CDR_POSTGRES_PASSWORD
  valueFrom: {secretKeyRef: {name: {{ include "sip-pbx.secretName" . }}, key: {{ .Values.secrets.keys.postgresPassword }}, optional: true}}
- name: SIP_PBX_EVENTS_WEBHOOK_SECRETS
  valueFrom: {secretKeyRef: {name: {{ include "sip-pbx.secretName" . }}, key: {{ .Values.secrets.keys.webhookSecrets }}, optional: true}}
- name: SIP_PBX_EVENTS_WEBHOOKS
  valueFrom: {secretKeyRef: {name: {{ include "sip-pbx.secretName" . }}, key: {{ .Values.secrets.keys.webhooks }}, optional: true}}
{{- end -}}

{{/* Certificates between nodes, where there are any: how a process finds them, how they get there, and where from. */}}
{{- define "sip-pbx.clusterTlsEnv" -}}
{{- if .Values.clusterTls.secretName -}}
- {name: SIP_PBX_CLUSTER_TLS_CA_FILE, value: /etc/sip-pbx-tls/ca.crt}
- {name: SIP_PBX_CLUSTER_TLS_CERT_FILE, value: /etc/sip-pbx-tls/tls.crt}
- {name: SIP_PBX_CLUSTER_TLS_KEY_FILE, value: /etc/sip-pbx-tls/tls.key}
{{- end -}}
{{- end -}}

{{- define "sip-pbx.clusterTlsMount" -}}
{{- if .Values.clusterTls.secretName -}}
- {name: cluster-tls, mountPath: /etc/sip-pbx-tls, readOnly: true}
{{- end -}}
{{- end -}}

{{- define "sip-pbx.clusterTlsVolume" -}}
{{- with .Values.clusterTls.secretName -}}
- name: cluster-tls
  secret: {secretName: {{ . | quote }}}
{{- end -}}
{{- end -}}

{{/* A port of the configuration, which must be a fixed one: (list configuration section key). */}}
{{- define "sip-pbx.port" -}}
{{- $section := default dict (get (index . 0) (index . 1)) -}}
{{- $port := int (get $section (index . 2)) -}}
{{- if or (lt $port 1) (gt $port 65535) -}}
{{- fail (printf "config %s.%s: expected a port from 1 to 65535, for Services and probes, but got %v" (index . 1) (index . 2) (get $section (index . 2))) -}}
{{- end -}}
{{- $port -}}
{{- end -}}

{{/* "udp tcp" or one of them: what SIP is spoken over. */}}
{{- define "sip-pbx.transports" -}}
{{- $said := (include "sip-pbx.controlConfig" . | fromYaml).sip.transport | toString | lower -}}
{{- $transports := list -}}
{{- if contains "udp" $said }}{{ $transports = append $transports "udp" }}{{ end -}}
{{- if contains "tcp" $said }}{{ $transports = append $transports "tcp" }}{{ end -}}
{{- join " " $transports -}}
{{- end -}}

{{/* What must not be written by anybody but the process, for each container. */}}
{{- define "sip-pbx.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
runAsNonRoot: true
capabilities:
  drop: [ALL]
{{- end -}}

{{- define "sip-pbx.podSecurity" -}}
runAsNonRoot: true
runAsUser: 10001
runAsGroup: 10001
fsGroup: 10001
fsGroupChangePolicy: OnRootMismatch
seccompProfile:
  type: RuntimeDefault
{{- end -}}

{{/* Health says that the process lives, readiness that it takes calls. */}}
{{- define "sip-pbx.probes" -}}
startupProbe:
  httpGet: {path: /health, port: health}
  periodSeconds: 2
  timeoutSeconds: 3
  failureThreshold: 60
livenessProbe:
  httpGet: {path: /health, port: health}
  periodSeconds: 10
  timeoutSeconds: 5
  failureThreshold: 6
readinessProbe:
  httpGet: {path: /ready, port: health}
  periodSeconds: 2
  timeoutSeconds: 3
  failureThreshold: 2
{{- end -}}

{{/* Families of a Service's addresses. */}}
{{- define "sip-pbx.ipFamilies" -}}
{{- if eq .Values.ipFamily "Dual" -}}
ipFamilyPolicy: PreferDualStack
{{- else -}}
ipFamilyPolicy: SingleStack
ipFamilies: [{{ .Values.ipFamily }}]
{{- end -}}
{{- end -}}

{{/* What all planes get from the environment; what users add comes last and wins: (list context plane). */}}
{{- define "sip-pbx.extraEnv" -}}
{{- $context := index . 0 -}}
{{- $plane := index . 1 -}}
{{- with $plane.javaOptions }}
- name: JDK_JAVA_OPTIONS
  value: {{ . | quote }}
{{- end }}
{{- with concat $context.Values.extraEnv $plane.extraEnv }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* The token of the admin API, where there is one. */}}
{{- define "sip-pbx.adminToken" -}}
- name: SIP_PBX_ADMIN_TOKEN
  valueFrom: {secretKeyRef: {name: {{ include "sip-pbx.secretName" . }}, key: {{ .Values.secrets.keys.adminToken }}, optional: true}}
{{- end -}}

{{/* A request for a change to the container's own admin API, as a shell command: (list configuration path host). What
     listens on all addresses is asked on loopback, which needs no token where none is set. */}}
{{- define "sip-pbx.ownAdmin" -}}
{{- $config := index . 0 -}}
{{- $bind := dig "monitoring" "bind_ip" "" $config | toString | default (index . 2) -}}
{{- if eq $bind "0.0.0.0" }}{{ $bind = "127.0.0.1" }}{{ end -}}
{{- if eq $bind "::" }}{{ $bind = "::1" }}{{ end -}}
{{- $url := printf "http://%s:%s/api/v1/%s" (ternary (printf "[%s]" $bind) $bind (and (contains ":" $bind) (not (hasPrefix "[" $bind)))) (include "sip-pbx.port" (list $config "monitoring" "health_check_port")) (index . 1) -}}
curl -gfsS --max-time 3 ${SIP_PBX_ADMIN_TOKEN:+-H "Authorization: Bearer $SIP_PBX_ADMIN_TOKEN"} "{{ $url }}"
{{- end -}}
