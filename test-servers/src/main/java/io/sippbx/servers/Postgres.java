package io.sippbx.servers;

import java.io.IOException;
import org.testcontainers.postgresql.PostgreSQLContainer;

/**
 * A real PostgreSQL, empty, with a database "postgres" and a user "sip" who needs no password; for
 * tests that do not end it. Those that do start a {@link PostgresServer}, which is a process and
 * keeps its port.
 */
public interface Postgres extends AutoCloseable {

  /** The image that Docker is asked for. */
  String IMAGE = "postgres:17-alpine";

  /**
   * Starts one, of Docker where it answers and has the image, else of Debian's package, and waits
   * until it takes connections.
   */
  static Postgres start() throws IOException {
    if (!Docker.has(IMAGE)) {
      return PostgresServer.start();
    }
    PostgreSQLContainer container =
        new PostgreSQLContainer(IMAGE)
            .withDatabaseName("postgres")
            .withUsername("sip")
            .withEnv("POSTGRES_HOST_AUTH_METHOD", "trust");
    container.start();
    Announcement.of("PostgreSQL", "Docker image " + IMAGE);
    return new Postgres() {
      @Override
      public String url() {
        return container.getJdbcUrl();
      }

      @Override
      public void close() {
        container.stop();
      }
    };
  }

  /** How JDBC reaches it, as the user "sip". */
  String url();

  @Override
  void close();
}
