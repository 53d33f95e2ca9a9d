# One image for all roles; the role is the first argument: standalone, control-plane, media-plane, event-plane. See docs/DEPLOY.md.

FROM maven:3.9-eclipse-temurin-25-noble AS build
WORKDIR /src
COPY pom.xml ./
COPY .mvn .mvn
COPY proto proto
COPY shared shared
COPY control-plane control-plane
COPY media-plane media-plane
COPY event-plane event-plane
COPY app app
COPY system-tests/pom.xml system-tests/pom.xml
COPY benchmarks/pom.xml benchmarks/pom.xml
COPY simulation/pom.xml simulation/pom.xml
COPY test-servers/pom.xml test-servers/pom.xml
RUN --mount=type=cache,target=/root/.m2 \
    mvn -B -ntp -Dmaven.test.skip=true -Dspotless.check.skip=true -pl app -am package

FROM eclipse-temurin:25-jre-noble
# redis-server: standalone's own Redis. curl: the health check.
RUN apt-get update \
    && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends curl redis-server \
    && rm -rf /var/lib/apt/lists/* \
    && groupadd --gid 10001 sip-pbx \
    && useradd --uid 10001 --gid 10001 --home-dir /var/lib/sip-pbx --shell /usr/sbin/nologin sip-pbx \
    && install -d -o 10001 -g 10001 /var/lib/sip-pbx /var/log/sip-pbx /var/log/sip-pbx/cdr \
    && install -d /etc/sip-pbx
# What changes seldom first: libraries, then the program.
COPY --from=build /src/app/target/lib /opt/sip-pbx/lib
COPY --from=build /src/app/target/sip-pbx.jar /opt/sip-pbx/sip-pbx.jar
# What the virtual machine learns of classes in a demonstration halves the time of each start; by the virtual machine that will run, with its options. Without it all works as well.
RUN cd /tmp \
    && { timeout 180 java --sun-misc-unsafe-memory-access=allow -XX:+UseCompactObjectHeaders -XX:+UnlockDiagnosticVMOptions -XX:-AOTRecordTraining \
             -XX:AOTCacheOutput=/opt/sip-pbx/sip-pbx.aot -jar /opt/sip-pbx/sip-pbx.jar demo --redis \
         || rm -f /opt/sip-pbx/sip-pbx.aot; }

ENV HOME=/var/lib/sip-pbx \
    SIP_PBX_STANDALONE_DATA_DIR=/var/lib/sip-pbx
WORKDIR /var/lib/sip-pbx
VOLUME ["/var/lib/sip-pbx", "/var/log/sip-pbx"]
USER 10001:10001
# SIP, /health and /ready and /api, /metrics; media nodes have 9900 and the UDP ports of media.port_pool besides.
EXPOSE 5060/udp 5060/tcp 8080/tcp 9090/tcp

HEALTHCHECK --interval=10s --timeout=3s --start-period=60s --retries=3 \
    CMD ["/bin/sh", "-c", "exec curl -fsS --max-time 2 -o /dev/null http://127.0.0.1:${SIP_PBX_MONITORING_HEALTH_CHECK_PORT:-8080}/health"]

# The virtual machine is process 1: it ends in order on SIGTERM, and reaps the one child that it has. Options of one's
# own come by JDK_JAVA_OPTIONS; -Xmx there goes over the share of memory here.
ENTRYPOINT ["java", "--sun-misc-unsafe-memory-access=allow", "-XX:+UseCompactObjectHeaders", "-XX:-UseDynamicNumberOfCompilerThreads", "-XX:Tier3DelayOn=1000", "-XX:FreqInlineSize=150", "-XX:InlineSmallCode=1200", "-XX:MaxInlineLevel=8", "-Dio.netty.leakDetection.level=disabled", "-XX:+ExitOnOutOfMemoryError", "-XX:MaxRAMPercentage=60", "-XX:AOTCache=/opt/sip-pbx/sip-pbx.aot", "-Xlog:aot=off", "-Xlog:cds=off", "-jar", "/opt/sip-pbx/sip-pbx.jar"]
CMD ["standalone"]
