/** What is shipped to run the executable: the Helm chart and the compose file, held against it. */
@NullMarked
package io.sippbx.app.chart;

import org.jspecify.annotations.NullMarked;
