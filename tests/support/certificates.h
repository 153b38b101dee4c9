/* certificates: an authority and what it signed, made with the openssl command. */
#ifndef RIVERS_TESTS_CERTIFICATES_H
#define RIVERS_TESTS_CERTIFICATES_H

/* Both write DIR/NAME.pem and DIR/NAME.key and end the test binary when that fails. alt: subjectAltName, such
 * as "DNS:localhost,IP:127.0.0.1". */
void certificates_authority(const char *dir, const char *name);
void certificates_sign(const char *dir, const char *authority, const char *name, const char *alt);

void certificates_remove(const char *dir); /* with the directory */

#endif
