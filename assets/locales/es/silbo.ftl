# Todas las frases de la ventana, en español (https://projectfluent.org).
#
# Cada mensaje lleva el nombre GRUPO-NOMBRE de la función que lo dice, text::GRUPO::NOMBRE en app/src/ui/text. Se tutea; frases
# sencillas: qué ha pasado y qué hacer ahora (`.next`), sin órdenes de terminal. Las etiquetas son también los nombres con que
# los lectores de pantalla conocen los controles, así que ninguna se repite en la misma pantalla.

## Primer arranque

first_run-title = Elige tu nombre
first_run-intro = Con este nombre te encuentran tus amigos. Sin correo, sin teléfono, sin cuenta.
first_run-field = Tu nombre
first_run-hint = por ejemplo, ana.perez
first_run-rules = De 3 a 32 caracteres: letras de la a a la z, cifras, y entre ellas puntos, guiones o guiones bajos. Empieza por una letra.
first_run-valid = Pulsa Intro para reservarlo, si está libre.
first_run-claim = Reservar este nombre
first_run-later = Más tarde
first_run-next = Seguir
first_run-go_on = Ir a los contactos
first_run-devices_title = ¿Se oye y te oyes?
first_run-devices_text = Elige por dónde hablas y escuchas, y pruébalo: Echo te devuelve tu voz.
first_run-network_good = Las llamadas llegan a este ordenador, y él llega a los demás.
first_run-help_title = ¿Ayudar también a otros?
first_run-help = Sí, cuando este ordenador pueda
first_run-help_cost = Otros usan entonces una pequeña parte de tu conexión a internet. Puedes pararlo cuando quieras.
first_run-keeping_title = Conserva tu nombre
first_run-keeping_text = Ninguna empresa podría devolverte tu nombre. Con 24 palabras en papel siempre puedes volver.
first_run-taken = Otra persona ya tiene este nombre. Prueba con otro.
first_run-claiming_title = Reservando tu nombre
first_run-claiming = Pidiendo «{ $name }» a la red. Tarda unos segundos.
first_run-held_title = Eres { $name }
first_run-held_by_one = El nombre es tuyo: lo guarda un ordenador de la red, y seguirán más.
first_run-held = { $held_by ->
    [one] El nombre es tuyo: lo guarda { $held_by } de { $of } ordenadores de la red.
   *[other] El nombre es tuyo: lo guardan { $held_by } de { $of } ordenadores de la red.
}

## Qué le falta a un nombre

username-too_short = Un nombre tiene al menos { $least } caracteres.
username-too_long = Un nombre tiene como mucho { $most } caracteres.
username-character = «{ $character }» no puede ir en un nombre. Usa letras de la a a la z sin acentos, cifras, puntos, guiones y guiones bajos.
username-start = Un nombre empieza por una letra de la a a la z.
username-end = Un nombre acaba en una letra o una cifra.
username-double_separator = Entre letras o cifras va un solo punto, guion o guion bajo, no dos.
username-space = Un nombre no lleva espacios. Pon en su lugar un punto, un guion o un guion bajo.
username-other = Esto no puede ser un nombre. Usa letras de la a a la z, cifras, puntos, guiones y guiones bajos.

## Panel lateral

side-no_name = Aún sin nombre
side-choose_name = Elegir un nombre
side-field = Busca o añade a alguien
side-clear = Borrar la búsqueda
side-invite = Invitar a un amigo
side-contacts = Contactos
side-requests = Solicitudes ({ $count })
side-recent = Llamadas recientes
side-recent_word = Recientes
# El nombre accesible mientras haya llamadas perdidas que aún no se han visto.
side-recent_missed = Llamadas recientes, { $count ->
    [one] una perdida
   *[other] { $count } perdidas
}
side-network = ¿Pueden llamarme?
side-network_word = Red
side-help = Ayudar
side-help_word = Ayudar
side-settings = Ajustes
side-request_line = Quiere llamarte
side-calling_line = Te está llamando
side-echo_line = Oye tu propia voz
side-echo_first = Tu primera llamada
side-no_call_yet = Ninguna llamada aún
side-empty = Aquí no hay nadie todavía. Escribe arriba el nombre de un amigo y pulsa Intro para buscarlo.
side-joining = Conectando
side-joining_tip = Buscando la red. Tarda unos segundos.
side-online = Localizable
side-offline = Sin conexión
side-key_tip = La huella de tu clave. Tus amigos pueden compararla para asegurarse de que eres tú.
# El nombre accesible del nombre y la clave propios, arriba; lleva a la invitación.
side-own = Tú: { $name }
# Está debajo de los contactos mientras hay una invitación en el campo de búsqueda.
side-press_enter = Pulsa Intro para añadir a quien te invita.
# El nombre accesible de alguien cuya clave se ha comparado.
side-verified = { $name }, clave comparada
side-blocked = Bloqueado
# El nombre accesible de alguien a quien se ha bloqueado.
side-blocked_row = { $name }, bloqueado
side-online_tip = { $homes ->
    [one] Pueden llamarte. Un ayudante te pasa las llamadas.
   *[other] Pueden llamarte. { $homes } ayudantes te pasan las llamadas.
}
side-here = Conectado ahora
side-last_seen = Visto por última vez: { $when }
# En lugar de la fila que busca un nombre, mientras aún no puede serlo.
side-look_up_short = Para buscar a alguien nuevo, escribe al menos { $least } caracteres.
side-look_up = Buscar «{ $name }»
side-request = Solicitud de { $name }

## Momentos, tal como siguen a «Última llamada:» y «Visto por última vez:»

when-today = hoy, { $time }
when-yesterday = ayer, { $time }
when-on = { $date }, { $time }

## Duración de las llamadas

lasted-seconds = { $seconds } s
lasted-minutes = { $minutes } min { $seconds } s
lasted-hours = { $hours } h { $minutes } min

## Página de un contacto

contact-echo = Echo repite tu voz dos segundos después, solo en este ordenador. Úsalo para probar el micrófono.
contact-first_call = Una buena primera llamada: Echo siempre contesta, y no hace falta nadie más.
contact-fingerprint = Huella
contact-pinned = Las llamadas van solo a esta clave: nadie puede ocupar el lugar de este contacto, use el nombre que use.
contact-remove = Eliminar contacto
contact-keep = Conservar
contact-gone = Este contacto se ha eliminado. Elige otro a la izquierda.
contact-call = Llamar a { $name }
contact-call_with_video = Llamar con vídeo
contact-safety = Número de seguridad
contact-verified = Comparado
contact-same = Son iguales
contact-compare_again = Ya no lo tengo claro
contact-compare = Si nadie se interpone, { $name } ve el mismo número en la página que habla de ti. Compáralo en persona, o léelo en voz alta en una llamada en la que reconozcas la voz.
contact-was_compared = Has comparado claves con { $name }: es de verdad quien dice.
contact-last_call = Última llamada: { $when }
contact-remove_question = ¿Eliminar a { $name } de tus contactos? Puedes volver a añadirlo por su nombre.
contact-remove_yes = Eliminar a { $name }
contact-block = Bloquear a { $name }
contact-unblock = Desbloquear a { $name }
contact-blocked = Has bloqueado a { $name }. No puede llamarte ni ver si estás; nadie le dice por qué.

## Buscar y añadir

add-searching = Preguntando a varios ordenadores de la red quién tiene este nombre.
add-add = Añadir a los contactos
add-open = Abrir contacto
add-already = Ya es uno de tus contactos.
add-yourself = Eres tú: quien busque este nombre te encuentra.
add-one = Añádelo y podrás llamar. Para estar seguro de que es tu amigo, comparad esta clave, o pulsa «Verificar» en una llamada.
add-none_next = Comprueba cómo se escribe, o pregunta a tu amigo si ya se ha conectado alguna vez.
add-offered = Has abierto un enlace que lo añade a tus contactos. El nombre es lo que dice el enlace; solo la huella es segura.
add-not_now = Ahora no
add-no_name = «{ $name }» no puede ser un nombre
add-no_invite = Esta invitación no funciona
add-own_invite = Esta invitación es la tuya
add-try_again = Buscar otra vez
add-offered_title = { $name } te invita
add-searching_title = Buscando a { $name }
add-one_title = { $name } aparece en la red
add-several_title = { $count } personas dicen ser { $name }
add-several_text = Solo una de ellas es quien tú conoces como { $name }. Compara las huellas con tu amigo antes de añadir a nadie.
add-none_title = Nadie se llama { $name }
add-failed_title = No se ha podido buscar a { $name }
add-holders = { $count ->
    [one] Lo conoce un ordenador de la red
   *[other] Lo conocen { $count } ordenadores de la red
}
# Los nombres accesibles de los botones cuando varias personas dicen tener el nombre.
add-add_one_of = Añadir { $fingerprint } a los contactos
add-open_one_of = Abrir contacto { $fingerprint }

## Solicitudes de desconocidos

request-accept = Añadir a los contactos
request-decline = Rechazar la solicitud
request-text = No está entre tus contactos, así que no ha sonado. El nombre es lo que dice ser; solo la huella es segura. Añade a esta persona para que pueda llamarte.
request-calling_text = No está entre tus contactos, así que no suena. El nombre es lo que dice ser; solo la huella es segura. Añade a esta persona y sonará.
request-gone = Esta solicitud ya está resuelta.
request-title = { $name } ha intentado llamarte
request-calling = { $name } te está llamando
request-wants = { $name } quiere llamarte
request-want = { $name } y { $more ->
    [one] una persona más
   *[other] { $more } personas más
} quieren llamarte
request-stranger = No es de tus contactos, así que no suena.
request-look = Ver

## Llamadas

call-answer = Aceptar
call-answer_without_video = Aceptar sin vídeo
call-decline = Rechazar
call-mute = Silenciar
call-unmute = Hablar
call-camera_on = Iniciar vídeo
call-camera_off = Parar vídeo
call-share = Compartir
call-stop_sharing = Dejar de compartir
call-full_screen = Pantalla completa
call-exit_full_screen = Salir de pantalla completa
call-small_window = Ventana pequeña
call-close_small_window = Cerrar la ventana pequeña
call-back_to_window = Volver a la ventana principal
call-hang_up = Colgar
call-devices = Dispositivos de sonido
call-volume_of = Volumen con que oyes a { $name }
call-volume = { $percent } %
call-cancel = Cancelar llamada
call-again = Llamar otra vez
call-close = Cerrar
call-muted = Estás en silencio. Nadie te oye.
# Junto al nombre de la otra persona mientras está en silencio; los lectores de pantalla dicen la frase entera.
call-muted_word = En silencio
call-they_are_muted = { $name } está en silencio
call-hold_to_talk = Mantén pulsado Espacio para hablar
call-heard_while_held = Te oyen mientras mantienes pulsado Espacio
call-mic = Tu micrófono
call-echo_hint = Di algo: lo oirás otra vez dos segundos después.
call-echo_heard = Echo te ha oído. Si tú también te has oído, todo funciona.
call-echo_silent = No ha llegado nada de tu micrófono. Elige otro, o mira si está apagado.
call-keys_note = Cifrada de extremo a extremo. «Verificar» dice si hay alguien en medio.
call-keys_verified = Cifrada de extremo a extremo. Nadie más puede oír esta llamada.
call-own_camera = Tu cámara
call-own_screen = Tu pantalla
call-own_window = Tu ventana
call-move_own = Mover tu imagen a otra esquina
call-microphone_silent = No se oye nada de tu micrófono
call-microphone_gone = Tu micrófono ha dejado de funcionar
call-microphone_dead = Tu micrófono no funciona
call-loudspeaker_gone = Tu altavoz ha dejado de funcionar
call-loudspeaker_dead = Tu altavoz no funciona
# A button; it opens the sound devices.
call-check_devices = Ver los dispositivos
call-sharing_screen = Estás compartiendo tu pantalla
call-sharing_window = Estás compartiendo una ventana
# A button beside “You are sharing your screen”.
call-stop = Parar
call-camera_while_sharing = Mientras compartes, tu cámara está apagada.
call-once_connected = Será posible en cuanto habléis.
# Qué es la imagen del otro lado.
call-picture_of = Imagen de { $name }
# Va entre lo que le pasa a la cámara y lo que ayuda.
call-unseen = Te oyen, pero no te ven.
call-calling = Llamando…
call-ringing = Sonando…
# Está debajo del nombre de quien llama.
call-incoming = te está llamando
call-incoming_video = te está llamando con vídeo
call-missed = Llamada perdida de { $name }
call-connecting = Conectando el sonido…
call-active = En llamada
call-ended = Llamada terminada
call-calling_detail = Buscando en la red a quien llamas.
call-ringing_detail = Su ordenador está sonando. Esperando respuesta.
call-connecting_detail = Buscando el mejor camino entre los dos ordenadores.
call-local = Local
call-direct = Directa
call-relayed = Con ayuda
call-local_tip = El sonido no sale de este ordenador.
call-direct_tip = El sonido va directo al otro ordenador.
call-relayed_tip = El sonido pasa por un ayudante, que no puede oírlo.
call-reconnecting = Reconectando…
# No ha llegado nada del otro lado desde hace un rato.
call-nothing_comes = No llega nada de { $name }. Silbo busca otro camino.
call-bad = Mala
call-fair = Regular
call-good = Buena
call-excellent = Excelente
call-quality_label = Calidad del sonido: { $bars ->
    [4] excelente
    [3] buena
    [2] regular
   *[other] mala
}
call-lost_and_delay = De la boca al oído tarda { $milliseconds } ms. El { NUMBER($percent, minimumFractionDigits: 1) } % del sonido se ha perdido o ha llegado tarde.

## Rechazar con unas palabras

reply-open = Rechazar con un mensaje
reply-title = ¿Qué quieres que lea { $name }?
# Tres frases preparadas: lo que se le dice a quien llama, tal como está aquí.
reply-later = Te llamo luego.
reply-not_now = Ahora no puedo hablar.
reply-ten_minutes = Llámame otra vez en diez minutos.
reply-hint = O con tus palabras
reply-field = Tus palabras
reply-note = Rechaza la llamada, y nadie más puede leerlo.
reply-too_long = Es demasiado largo: quita algo.
reply-characters = Un mensaje es una sola línea, sin signos que no se ven.
reply-send = Rechazar y enviar
reply-back = Volver a la llamada
# Lo que dijo la otra persona.
reply-said = { $name }: «{ $words }»

## What others would see, outside a call

camera-title = Cámara
camera-open = Ver mi cámara
camera-close = Cerrar la cámara
camera-seen = Lo que verían los demás
camera-live = Tu cámara está encendida

## Cómo fue una llamada

receipt-title = La llamada con { $name }
receipt-open = Llamada con { $name }: { $detail }
receipt-none = No se midió nada: la llamada fue demasiado corta.
receipt-close = Cerrar
receipt-sound = Sonido
receipt-worst = En lo peor
receipt-path = Conexión
receipt-mixed = Directo y con ayuda
receipt-delay = Retraso
receipt-lost = Perdido o tarde
receipt-made_up = Huecos suavizados
receipt-pictures = Imagen
receipt-rate = Movimiento
receipt-frozen = Imagen parada
receipt-milliseconds = { $milliseconds } ms
receipt-seconds = { NUMBER($seconds, minimumFractionDigits: 1) } s
receipt-percent = { NUMBER($percent, minimumFractionDigits: 1) } %
receipt-lines = { $lines } líneas
receipt-pictures_a_second = { $pictures } por segundo

## Cómo va una llamada mientras dura

trend-title = Cómo va esta llamada
trend-open = Estadísticas
trend-close = Cerrar estadísticas
trend-looking = Las primeras cifras llegan en un segundo.
trend-sound = Calidad del sonido, de 1 a 5
trend-delay = Retraso
trend-lost = Sonido perdido o tardío
trend-bandwidth = Recibido
trend-pictures = Imágenes por segundo
trend-opinion = { NUMBER($opinion, minimumFractionDigits: 1) }
trend-kbits = { $kbits } kbit/s
trend-now = { $figure }: { $value }

## El título de la ventana

title-profile = perfil { $profile }
title-talk = en una llamada con { $name }
title-muted = estás en silencio
title-open = tu micrófono está abierto
title-screen = tu pantalla está a la vista
title-window = una ventana tuya está a la vista
title-camera = tu cámara está encendida
title-waiting = ({ $count }) { $title }

## Qué compartir

sharing-title = ¿Qué quieres mostrar?
sharing-screen = Toda la pantalla
sharing-windows = O una ventana, y nada más:
sharing-looking = Buscando ventanas abiertas…
sharing-no_windows = No hay ninguna otra ventana que mostrar.
sharing-cancel = Cancelar

## Invitar a un amigo

invite-title = Invita a un amigo
invite-intro = Envía este enlace a un amigo que tenga Silbo, o deja que escanee el código. Si lo abre, o lo pega en «Busca o añade a alguien», te tendrá entre sus contactos.
invite-making = Creando el enlace…
invite-copy = Copiar enlace
invite-copied = Copiado. Pégalo en un mensaje para tu amigo.
invite-copy_message = Copiar con una explicación
invite-message = Llámame con Silbo: un programa para llamadas de ordenador a ordenador, sin cuenta y sin ninguna empresa en medio. Si aún no lo tienes, pídemelo. Después abre este enlace, o pégalo en su campo de búsqueda: { $link }
invite-qr = Tu invitación como código QR
invite-too_long = El enlace es demasiado largo para un código QR.
invite-renew = Crear otro enlace
invite-no_name = Aún no tienes nombre: tu amigo verá tu huella en su lugar.
invite-own_key = Tu clave: { $fingerprint }
invite-supernodes = { $count ->
    [0] Todavía no puede llevar hasta ti. Espera a ser localizable y crea otro enlace.
    [one] Lleva hasta ti a través de { $count } ayudante.
   *[other] Lleva hasta ti a través de { $count } ayudantes.
}

## Escanear un código

scan-title = Escanear el código de un amigo
scan-text = Tu amigo encuentra el suyo en «Invitar a un amigo». Antes de añadir a nadie se muestra a quién invita.
scan-camera = Usar la cámara
scan-stop = Cerrar la cámara
scan-hold = Pon el código delante de la cámara, de modo que llene casi toda la imagen.
scan-seen = Lo que ve la cámara
scan-picture = O una imagen del código
scan-drop = Suéltala en esta ventana, o di dónde está.
scan-file = Archivo de la imagen
scan-hint = por ejemplo, ~/codigo.png
scan-read = Leer la imagen
scan-reading = Leyendo la imagen…
scan-no_invite = No se ha visto ninguna invitación. Pon el código recto y más cerca, o usa otra imagen.
scan-no_file = No existe ese archivo, o no puedes leerlo. Revisa su nombre.
scan-no_picture = No es una imagen que se pueda leer. Elige un archivo PNG o JPEG.

## Elegir un archivo en el diálogo del escritorio

chooser-picture = Elegir la imagen
chooser-backup = Elegir la copia
chooser-new_backup = Elegir dónde va
chooser-failed = Este escritorio no ha mostrado sus archivos. Escribe dónde está.

## ¿Pueden llamarme?

network-looking = Comprobando tu red
network-looking_text = Preguntando a otros ordenadores cómo ven a este. Tarda unos segundos.
network-callable = Pueden llamarte
network-over_tcp = Pueden llamarte, pero el sonido puede cortarse
network-no_sound = Aquí suena, pero la voz no llegaría
network-unreachable = Ahora mismo nadie puede llamarte
network-again = Mirar otra vez
network-copy = Copiar informe
network-copied = Copiado.
network-details = Mostrar los detalles para expertos
network-fewer = Ocultar los detalles

# Cómo trata el router lo que sale, en un dibujo.
nat-computer = Este ordenador
nat-router = Router
nat-internet = Internet
nat-open = Sin router en medio
nat-independent = Una puerta para todos
nat-dependent = Una puerta para cada uno
nat-unknown = Aún no se sabe
# $how: uno de los cuatro anteriores.
nat-picture = Este ordenador, el router e internet: { $how }

# Los ayudantes que este ordenador conoce, en un círculo y en una lista.
ring-title = La red a tu alrededor
ring-text = Cada ayudante tiene un lugar en este círculo, y cada nombre también: los ayudantes de alrededor guardan ese nombre.
ring-map = La red tal como la ve este ordenador: { $helpers ->
    [0] ningún ayudante conocido
    [one] un ayudante conocido
   *[other] { $helpers } ayudantes conocidos
}, { $homes ->
    [0] ninguno te pasa las llamadas
    [one] uno te pasa las llamadas
   *[other] { $homes } te pasan las llamadas
}
ring-known = { $helpers ->
    [0] Aún no se conoce a ningún ayudante.
    [one] Se conoce a un ayudante; { $homes ->
        [0] no te pasa las llamadas.
       *[other] te pasa las llamadas.
    }
   *[other] Se conoce a { $helpers } ayudantes; { $homes ->
        [0] ninguno te pasa las llamadas.
        [one] uno te pasa las llamadas.
       *[other] { $homes } te pasan las llamadas.
    }
}
ring-drawn = Dibujados: { $drawn } de { $helpers }.
ring-own = Este ordenador
ring-home = Te pasa las llamadas
ring-linked = Conectado
ring-answered = Ha respondido
ring-heard_of = Sin preguntar aún
ring-silent = No responde
# $what: uno de los cinco anteriores.
ring-counted = { $what }: { $count }
ring-round_trips = Tiempo de ida y vuelta
ring-rings_for = Te pasa las llamadas desde hace { $lasted }
ring-linked_for = Conectado desde hace { $lasted }
ring-milliseconds = { $milliseconds } ms
ring-unmeasured = Sin medir
# $ties: qué tiene que ver con él este ordenador.
ring-spot = { $address }: { $ties }
ring-more = { $count ->
    [one] Y uno más.
   *[other] Y { $count } más.
}

# Lo que se ha averiguado, y está bien o no tiene remedio.
found-is_supernode = Este ordenador es él mismo un ayudante: a través de él se encuentra y se llama a otros.
found-rung_through = { $helpers ->
    [one] Un ayudante te pasa las llamadas.
   *[other] { $helpers } ayudantes te pasan las llamadas.
}
found-seen_at = Los demás ven este ordenador en { $addresses }.
found-nat_open = Este ordenador está directamente en internet, sin ningún router en medio.
found-nat_independent = Tu router se lleva bien con las llamadas: la mayoría van directas al otro ordenador.
found-nat_unknown = Aún no se sabe cómo trata las llamadas tu router: para saberlo hacen falta dos ayudantes que respondan.
found-udp_works = Tu red deja pasar las llamadas.
found-udp_unknown = Todavía no ha respondido nadie.
found-ipv_six_works = Las direcciones nuevas de internet (IPv6) también funcionan aquí.
found-ipv_six_unproven = Este ordenador tiene una de las direcciones nuevas de internet (IPv6), pero con ella no se ha llegado a nadie.
found-port_open = Otros pueden llegar a este ordenador desde fuera.
found-port_untested = No se ha probado si otros pueden llegar a este ordenador desde fuera: solo lo necesita quien ayuda a otros.
found-serves = Ayuda a otros porque así lo ha dicho quien lo maneja.
found-clock_unknown = Muy pocos ordenadores han dicho qué hora es como para juzgar el reloj.
found-clock_right = El reloj va bien.

# Lo que se ha averiguado, y qué hay que cambiar.
advice-not_taken_in = Hay ayudantes que responden, pero ninguno te pasa llamadas todavía.
    .next = Puede que estén llenos: prueba otra vez dentro de un minuto.
advice-nobody_answers = Se conocen ayudantes, y ninguno responde.
    .next = Comprueba tu conexión a la red. Si funciona, puede que un cortafuegos retenga a Silbo: déjalo salir allí.
advice-nat_dependent = Tu router dificulta las llamadas directas: muchas pasan por un ayudante.
    .next = Para tener llamadas directas, activa en el router IPv6 o el ajuste llamado «full cone».
advice-calls_over_tcp = Tu red retiene las llamadas, así que van por un camino más lento a través de un ayudante, y el sonido puede cortarse.
    .next = Usa otra red, o dale el informe a quien se ocupa de esta.
advice-no_way_for_sound = Tu red retiene las llamadas, y ahora mismo ningún ayudante sabe cómo rodearla.
    .next = Usa otra red, mira otra vez dentro de un minuto, o dale el informe a quien se ocupa de esta.
advice-ipv_six_none = Este ordenador no tiene ninguna de las direcciones nuevas de internet (IPv6).
    .next = Con IPv6 activado en el router hay más llamadas directas.
advice-port_of_supernode = Los demás no pueden llegar a este ayudante desde fuera, así que no se le envía a nadie nuevo.
    .next = Déjalo entrar en el cortafuegos y en el router, como dicen los detalles, o páralo.
advice-port_filtered = Los demás no pueden llegar a este ordenador desde fuera, así que no puede ayudarlos; tus llamadas no lo necesitan.
    .next = Para que ayude, redirige un puerto hacia él en el router, como dicen los detalles.
advice-offers_nothing = Este ordenador no ayuda a otros.
    .next = Si quieres que lo haga cuando pueda y haga falta, dilo en «Ayudar».
advice-clock_behind = El reloj va { $seconds } s atrasado; Silbo se guía por la hora de la red.
    .next = Deja que el sistema tome la hora de la red.
advice-clock_ahead = El reloj va { $seconds } s adelantado; Silbo se guía por la hora de la red.
    .next = Deja que el sistema tome la hora de la red.
advice-clock_far_off = El reloj se equivoca en más de un día: es demasiado para corregirlo, y aquí no vale ningún registro.
    .next = Deja que el sistema tome la hora de la red.

## Ayudar a otros

help-title = Ayudar
help-intro = Silbo no tiene servidores. Los ordenadores a los que cualquiera puede llegar, y cuyos dueños están de acuerdo, ayudan a otros a encontrarse y a oírse. El tuyo solo lo hace donde tú digas que sí, y descansa cuando va con batería.
help-may = Este ordenador puede
help-directory = Guardar nombres
help-directory_text = Quién tiene qué nombre. Unos pocos megabytes.
help-introducer = Avisar de llamadas
help-introducer_text = A quien su router no deja entrar a desconocidos. Apenas hay tráfico.
help-relay = Pasar llamadas
help-relay_text = Donde no hay camino directo. Selladas: aquí nadie puede oírlas.
help-next_start = Tendrá efecto la próxima vez que se inicie Silbo.
help-restart = Reiniciar ahora
help-restarting = Silbo se reinicia. Tarda unos segundos.
help-cap = Llamadas que pasan por aquí, como mucho
help-no_cap = Sin límite
help-upload = Lo que puede enviar tu conexión a internet
help-unknown = No lo sé
help-metered = Mi tráfico cuesta dinero: no ayudar con él
help-helped = { $people ->
    [0] Ahora mismo nadie necesita este ordenador para que lo encuentren. Desde que arrancó han pasado por él { NUMBER($megabytes, minimumFractionDigits: 1) } MB de llamadas.
    [one] Ahora mismo se encuentra a { $people } persona a través de este ordenador. Desde que arrancó han pasado por él { NUMBER($megabytes, minimumFractionDigits: 1) } MB de llamadas.
   *[other] Ahora mismo se encuentra a { $people } personas a través de este ordenador. Desde que arrancó han pasado por él { NUMBER($megabytes, minimumFractionDigits: 1) } MB de llamadas.
}
help-mbits = { $mbits } Mbit/s
help-now = { $connections ->
    [one] Ahora mismo pasa por aquí { $connections } conexión, a { NUMBER($mbits, minimumFractionDigits: 1) } Mbit/s.
   *[other] Ahora mismo pasan por aquí { $connections } conexiones, a { NUMBER($mbits, minimumFractionDigits: 1) } Mbit/s.
}
help-month = { $connections ->
    [0] En los últimos 30 días no ha pasado por aquí ninguna llamada.
    [one] En los últimos 30 días: { NUMBER($megabytes, minimumFractionDigits: 1) } MB de llamadas, por { $connections } conexión.
   *[other] En los últimos 30 días: { NUMBER($megabytes, minimumFractionDigits: 1) } MB de llamadas, por { $connections } conexiones.
}
help-hours = Cuándo ayuda
help-hours_text = A otras horas no empieza a ayudar a nadie, y aquellos a quienes ayuda pueden mudarse a otro: a nadie se le corta.
help-no_hour = Escribe una hora en punto, por ejemplo 22:00.
help-same_hour = No puede acabar a la hora a la que empieza. Para ayudar todo el día, elige «Siempre».
help-always = Siempre
help-daily = Entre dos horas
help-from = Desde las
help-to = Hasta las
help-earlier = Antes
help-later = Después

## Ajustes, y las tarjetas parecidas sobre una llamada

settings-title = Ajustes
settings-sound = Sonido
settings-microphone = Micrófono
settings-loudspeaker = Altavoz
settings-looking = Buscando micrófonos y altavoces…
settings-system = El del sistema
settings-none = No hay ninguno. Conecta uno o activa el sistema de sonido; aparecerá aquí solo.
settings-test = Llama a Echo para oírte
settings-appearance = Aspecto
settings-dark = Oscuro
settings-light = Claro
settings-language = Idioma
settings-done = Hecho
# Un dispositivo que se eligió una vez.
settings-unplugged = Tu elección (desconectado)
# El nombre accesible de una opción, porque varias listas pueden tener la misma.
settings-choice = { $of }: { $title }
settings-blocked = Personas bloqueadas

## Fuera de la ventana

desktop-title = Fuera de esta ventana
desktop-notifications = Notificaciones
desktop-notifications_text = El escritorio dice quién llama, quién ha llamado y quién quiere llamar, mientras no miras esta ventana.
desktop-autostart = Arrancar al iniciar sesión
desktop-autostart_text = Desde entonces pueden llamarte.
desktop-autostart_other = Al iniciar sesión arranca otro perfil; este ocuparía su lugar.
desktop-keep = Seguir en marcha al cerrar la ventana
desktop-keep_text = Pueden seguir llamándote. La ventana vuelve desde el icono de la bandeja, donde también puedes salir.
desktop-mute_key = Silenciar desde cualquier ventana con { $keys }
desktop-mute_key_text = Durante las llamadas, sea cual sea la ventana de delante. Mientras tanto los demás programas no reciben estas teclas.
desktop-mute_key_impossible = Este sistema no deja que un programa oiga teclas pulsadas en otras ventanas; hace falta X11. En esta ventana silencia Ctrl+M.
desktop-quit = Salir de Silbo

## Lo que dice el escritorio mientras nadie mira la ventana

announce-ringing = Llamada entrante
announce-calls = { $name } te está llamando.
announce-calls_with_video = { $name } te está llamando con vídeo.
announce-missed = Llamada perdida
# Cuándo es, por ejemplo, «hoy 14:05».
announce-called = { $name } te ha llamado: { $when }.
announce-request = Solicitud de contacto
announce-wants = Alguien que se hace llamar «{ $name }» quiere poder llamarte.
announce-open = Abrir Silbo
announce-call_back = Devolver la llamada
announce-show = Ver la solicitud

## Guardar la clave

keeping-title = Recuperación y copia
keeping-why = Tu clave eres tú: nadie puede darte otra. Apunta estas 24 palabras en papel, donde nadie más mire. Con ellas vuelves a ser tú en cualquier ordenador.
keeping-open = La clave está en este ordenador y solo tu usuario puede leerla.
keeping-sealed = La clave está en este ordenador, sellada con tu frase de paso.
keeping-show = Mostrar las palabras de recuperación
keeping-hide = Ocultar las palabras
keeping-leave = Comprobarlas más tarde
keeping-written = Comprobar lo que he apuntado
keeping-checking = Escribe las palabras desde el papel. Están ocultas hasta que acabes.
keeping-show_again = Mostrarlas otra vez
keeping-hint = Escríbelas desde el papel, para estar seguro
keeping-field = Palabras de recuperación del papel
keeping-check = Comprobar las palabras
keeping-right = Son las palabras correctas. Guarda el papel donde nadie más mire.
keeping-seal = Sellar con una frase de paso
keeping-change = Cambiar la frase de paso
keeping-unseal = Quitar la frase de paso
keeping-seal_text = Desde entonces Silbo la pide cada vez que arranca. Si la pierdes, nadie puede devolvértela: solo quedan las palabras de recuperación.
keeping-unseal_text = Sin ella, quien pueda leer tus archivos puede ser tú.
keeping-present = Frase de paso que tienes ahora
keeping-wanted = Frase de paso nueva
keeping-again = Frase de paso nueva, otra vez
keeping-advice = Varias palabras que no tengan que ver entre sí son difíciles de adivinar y fáciles de recordar.
keeping-weak = Es demasiado fácil de adivinar: usa al menos 12 caracteres, y que 6 sean distintos.
keeping-once_more = Escríbela otra vez, para estar seguro.
keeping-same = Las dos son iguales.
keeping-differ = Las dos no son iguales. Escríbelas otra vez.
keeping-seal_now = Sellar la clave
keeping-unseal_now = Dejar la clave abierta
keeping-cancel = Cancelar
keeping-sealing = Escribiendo la clave…
keeping-was_sealed = Hecho. La próxima vez que arranque, Silbo pedirá esta frase de paso.
keeping-was_opened = Hecho. Silbo arranca sin frase de paso.
keeping-export = Hacer una copia de seguridad
keeping-export_text = Una copia guarda todo lo que eres aquí: la clave, los contactos, las llamadas y los ajustes, sellado con una frase de paso propia. Guárdala en otro dispositivo.
keeping-export_wanted = Frase de paso de la copia
keeping-export_again = Frase de paso de la copia, otra vez
keeping-export_now = Escribir la copia
keeping-file = Archivo de la copia
keeping-writing = Escribiendo la copia…
keeping-exported = La copia está en { $file }, con { $contacts ->
    [one] { $contacts } contacto
   *[other] { $contacts } contactos
} y { $calls ->
    [one] { $calls } llamada
   *[other] { $calls } llamadas
}. Cópiala a otro dispositivo y recuerda su frase de paso.

## Antes de que haya motor

gate-title = Tu clave está cerrada
gate-title_of = Hola de nuevo, { $name }
gate-intro = Tu clave está sellada con tu frase de paso. Escríbela para seguir.
gate-field = Frase de paso
gate-open = Abrir
gate-opening = Abriendo. Tarda un momento, para que adivinar tarde una eternidad.
gate-wrong = Esta frase de paso no la abre. Prueba otra vez: cuentan las mayúsculas y los espacios.
gate-lost = Si la has perdido, arranca Silbo en otro ordenador y vuelve con tus palabras de recuperación.
gate-quit = Salir
gate-broken = Silbo no puede arrancar

## Quien ya estuvo aquí

returning-offer = Ya he estado aquí
returning-title = Volver
returning-intro = Vuelve a ser tú en este ordenador, con tus palabras o con una copia. Úsalo solo en un ordenador a la vez.
returning-working = Un momento. Silbo arranca de nuevo en cuanto lo lea.
returning-words_title = Con palabras de recuperación
returning-words_text = Te devuelven quien eres. Los contactos y las llamadas solo están en las copias.
returning-words_hint = Escribe las 24, en su orden
returning-words_field = Tus palabras de recuperación
returning-words_button = Volver con las palabras
returning-backup_title = Con una copia de seguridad
returning-backup_text = Lo devuelve todo: quien eres, los contactos, las llamadas y los ajustes.
returning-file_hint = como ~/silbo-copia.silbo
returning-file_field = Tu archivo de copia
returning-passphrase_field = Frase de paso de tu copia
returning-backup_button = Volver con la copia
returning-leave = Mejor elegir un nombre nuevo
returning-returned = Tu clave ha vuelto. Escribe el nombre que tenías: la red sabe que es de tu clave.

## Un contacto cuyo nombre pertenece ahora a otra clave

key_change-title = «{ $name }» pertenece ahora a otra clave
key_change-text = Alguien con otra clave tiene el nombre { $name } en la red. Desde aquí se sigue llamando a la clave que conoces.
key_change-pinned = La clave que conoces
key_change-found = La clave nueva
key_change-meaning = Quizá ha instalado Silbo de nuevo y ha perdido su clave. Quizá alguien quiere hacerse pasar por esa persona. Pregúntale, no por Silbo, si tiene una clave nueva.
key_change-keep = Quedarme con la que conozco
key_change-trust = Me ha hablado de una clave nueva
key_change-number = Compara este número con { $name }, cara a cara o por teléfono. Tiene que ser el mismo en las dos pantallas.
key_change-compared = Lo he comparado con { $name } y es el mismo
key_change-trust_now = Confiar en la clave nueva
key_change-row = Otra clave ahora

## Palabras que se leen en voz alta en una llamada

call_words-verify = Verificar
call_words-verified_word = Verificado
call_words-title = ¿Solo estáis { $name } y tú?
call_words-text = Leeos estas palabras, de la 1 a la 4. Si los dos veis las mismas, no hay nadie en medio.
call_words-looking = Calculándolas…
call_words-differ = Cuelga, y no digas antes nada privado. Cuando veas a { $name }, comparad los números de seguridad de vuestras páginas.
call_words-look_again = Volver a ver las palabras
call_words-hang_up = Colgar ya
call_words-matching = Coinciden
call_words-differing = No coinciden
call_words-differ_title = Puede que alguien escuche
# Se queda arriba en la llamada desde entonces.
call_words-differed = Las palabras no coinciden: puede que alguien escuche. Cuelga.
call_words-compare_again = Comparar otra vez
call_words-verified = Has comparado claves con { $name }.
call_words-done = Ahora no

## Cerrar la ventana durante una llamada

quit-next = Al cerrar la ventana se acaba la llamada para los dos.
quit-yes = Colgar y cerrar
quit-no = Seguir en la llamada
quit-question = Estás en una llamada con { $name }

## Llamadas recientes

history-title = Llamadas recientes
history-empty = Ninguna llamada todavía. La primera puede ser a Echo, que siempre está en casa.
history-received = Llamada recibida
history-missed = Llamada perdida
history-placed = Llamada hecha
history-unanswered = Sin conectar
history-declined = Rechazada
history-cancelled = Cancelada
history-busy = Ocupado
history-no_answer = Sin respuesta
history-not_online = Sin conexión
# Un botón en la tarjeta de una llamada pasada.
history-call = Llamar
# Lo que dijo quien rechazó.
history-quoted = «{ $words }»

## Avisos

notice-dismiss = Descartar: { $message }

## Olvidar llamadas

forget-one = Olvidar esta llamada
forget-all = Olvidar todas las llamadas
forget-question = ¿Olvidar todas las llamadas? Se borran de este ordenador para siempre. Tus contactos se quedan y nadie se entera.
forget-keep = Conservarlas
forget-yes = Olvidarlas todas

## Cómo llama la persona a un contacto

nickname-give = Poner un apodo
nickname-change = Cambiar el apodo
nickname-field = Apodo
nickname-note = Solo lo ves tú, en este ordenador. Déjalo vacío para ver el nombre de usuario.
nickname-too_long = Un apodo tiene como mucho { $most } caracteres.
nickname-characters = Valen letras, cifras, signos y espacios en una línea; algo de esto no lo es.
nickname-save = Guardar apodo
nickname-cancel = Cancelar

## A qué volumen suena

ringtone-title = Tono de llamada
ringtone-silent = Sin sonido
ringtone-quiet = Bajo
ringtone-usual = Normal
ringtone-loud = Alto
ringtone-play = Escuchar

## Qué es Silbo

about-title = Acerca de Silbo
about-version = Silbo { $version }
about-what = Llamadas de ordenador a ordenador, cifradas de extremo a extremo, sin cuenta y sin ninguna empresa en medio.
about-licence = Software libre: puedes usarlo, cambiarlo y compartirlo. Licencias: { $licences }.
about-copy = Copiar detalles para un informe
about-copy_text = Para un informe cuando algo no funciona: versión y sistema, y nada sobre ti ni tus contactos.

## Estar seguro de un contacto

sure-title = ¿Es de verdad quien dice?
sure-by_words = Llama a { $name }, pulsa allí «Verificar» y leeos las palabras que veis. Si son las mismas, es quien dice y nadie escucha.
sure-other_ways = Otras formas de estar seguro
sure-fewer_ways = Ocultar las otras formas
sure-unsure = ¿Retirar que has comparado claves con { $name }? Puedes volver a compararlas cuando quieras.
sure-still_sure = Lo sigo teniendo claro
sure-unsure_yes = Retirarlo

## Por qué ha acabado una llamada, o algo no ha funcionado

reason-hung_up = La llamada ha terminado.
    .next = Llama otra vez cuando quieras.
reason-cancelled = La llamada se ha cortado antes de que nadie respondiera.
    .next = Llama otra vez cuando quieras.
reason-declined = Han rechazado la llamada.
    .next = Prueba más tarde.
reason-busy = Está en otra llamada.
    .next = Prueba dentro de unos minutos.
reason-not_answered = Ha sonado, pero nadie ha respondido.
    .next = Prueba más tarde.
reason-no_reaction = No ha llegado nada del otro lado.
    .next = Puede que no haya conexión allí, o que aún no estés entre sus contactos: pídele que te añada, o prueba más tarde.
reason-not_online = No está en línea.
    .next = Prueba cuando esté en línea.
reason-not_online_told = No está en línea.
    .next = Cuando vuelva, verá que has llamado; o prueba más tarde.
reason-missed = Aquí nadie ha respondido a tiempo.
    .next = Devuelve la llamada ahora, o más tarde desde «Recientes».
reason-replaced = Han vuelto a llamar.
    .next = Responde a la llamada más reciente.
reason-no_path = No se ha encontrado ningún camino entre los dos ordenadores.
    .next = Puede que una de las redes retenga las llamadas: mirad en «Red» en los dos ordenadores, o prueba desde otra red.
reason-connection_lost = Se ha perdido la conexión.
    .next = Puede ser su red o la tuya. Vuelve a llamar dentro de un momento.
reason-peer_failed = El otro lado no ha podido seguir con la llamada.
    .next = Pregunta qué dice su Silbo, y prueba otra vez.
reason-incompatible = El otro lado habla una versión de Silbo que esta no entiende.
    .next = Actualiza Silbo en los dos ordenadores.
reason-not_authentic = Quien ha respondido no ha podido demostrar que es la persona a la que llamas.
    .next = No te fíes de esta conexión; prueba desde otra red.
reason-device = No se puede usar el micrófono, el altavoz o el archivo ({ $why }).
    .next = Comprueba que está conectado, o elige otro en los ajustes.
reason-microphone_missing = No se ha encontrado ningún micrófono, o el sistema de sonido de este ordenador no está en marcha.
    .next = Conecta uno, o cierra la sesión y vuelve a entrar; después prueba otra vez.
reason-loudspeaker_missing = No se ha encontrado ningún altavoz, o el sistema de sonido de este ordenador no está en marcha.
    .next = Conecta uno, o cierra la sesión y vuelve a entrar; después prueba otra vez.
reason-microphone_absent = El micrófono que has elegido no está conectado.
    .next = Conéctalo, o elige otro en los ajustes.
reason-loudspeaker_absent = El altavoz que has elegido no está conectado.
    .next = Conéctalo, o elige otro en los ajustes.
reason-microphone_dead = El micrófono no funciona.
    .next = Vuelve a conectarlo, o elige otro.
reason-loudspeaker_dead = El altavoz no funciona.
    .next = Vuelve a conectarlo, o elige otro.
reason-microphone_gone = El micrófono ha dejado de funcionar.
    .next = Vuelve a conectarlo y se usará enseguida, o elige otro.
reason-loudspeaker_gone = El altavoz ha dejado de funcionar.
    .next = Vuelve a conectarlo y se usará enseguida, o elige otro.
reason-microphone_busy = Otro programa está usando el micrófono.
    .next = Cierra el otro programa, o elige otro micrófono en los ajustes.
reason-loudspeaker_busy = Otro programa está usando el altavoz.
    .next = Cierra el otro programa, o elige otro altavoz en los ajustes.
reason-microphone_denied = El sistema no deja que Silbo use el micrófono.
    .next = Permítelo en los ajustes de privacidad del sistema y prueba otra vez.
reason-loudspeaker_denied = El sistema no deja que Silbo use el altavoz.
    .next = Permítelo en los ajustes de privacidad del sistema y prueba otra vez.
reason-sound_kept_out = Silbo no puede usar el sonido de este ordenador ({ $why }).
    .next = Comprueba que se puede escribir en tu carpeta personal y que el disco no está lleno, y prueba otra vez.
reason-microphone_refused = El micrófono que has elegido no funciona aquí, o lo usa otro programa. Sigues con el de antes.
    .next = Elígelo otra vez cuando funcione, o elige otro.
reason-loudspeaker_refused = El altavoz que has elegido no funciona aquí, o lo usa otro programa. Sigues con el de antes.
    .next = Elígelo otra vez cuando funcione, o elige otro.
reason-camera_missing = No se ha encontrado ninguna cámara.
    .next = Conecta una y inicia el vídeo.
reason-camera_busy = Otro programa está usando la cámara.
    .next = Cierra el otro programa y inicia el vídeo.
reason-camera_denied = El sistema no deja que Silbo use la cámara.
    .next = Pide a quien se ocupe de este ordenador que te añada al grupo «video»; después cierra la sesión y vuelve a entrar.
reason-camera_silent = La cámara ya no da imágenes.
    .next = Vuelve a conectarla y inicia el vídeo.
reason-camera_unusable = No se puede usar la cámara ({ $why }).
    .next = Conecta otra y inicia el vídeo.
reason-sharing_session = Esta sesión de escritorio no deja que ningún programa muestre la pantalla.
    .next = Cierra la sesión y elige la llamada Xorg o X11 al volver a entrar, o comparte desde otro ordenador.
reason-sharing_whole = En este escritorio no se puede mostrar una ventana por separado.
    .next = Comparte toda la pantalla.
reason-sharing_which = No está claro de qué ventana se trata ({ $why }).
    .next = Elige una de las que están abiertas.
reason-sharing_hidden = La ventana no está a la vista, así que no se comparte.
    .next = Ponla a la vista y compártela otra vez.
reason-sharing_closed = La ventana que compartías se ha cerrado.
    .next = Comparte otra ventana, o toda la pantalla.
reason-sharing_unusable = Aquí no se puede compartir nada ({ $why }).
    .next = Comparte desde otro ordenador.
reason-usage = Silbo no puede hacer eso: { $why }
    .next = Prueba otra cosa.
reason-not_built = { $what } aún no existe.
    .next = Espera a una versión posterior de Silbo.
reason-no_such_name = Nadie ha reservado el nombre «{ $name }».
    .next = Comprueba cómo se escribe, o pide el nombre exacto.
reason-no_such_contact = «{ $name }» no está en la lista.
    .next = Elige una de las entradas de la izquierda.
reason-name_ambiguous = Varias personas dicen ser «{ $name }»: { $fingerprints }.
    .next = Pregunta cuál es su huella; después busca el nombre y añade esa.
reason-key_changed = «{ $name }» pertenece ahora a otra clave ({ $found }) que la de tu contacto ({ $pinned }).
    .next = Mira el contacto: allí decides en qué clave confías.
reason-blocked = Has bloqueado a { $name }.
    .next = Desbloquea primero a esa persona si quieres volver a hablar con ella.
reason-name_taken = Otra persona tiene el nombre «{ $name }».
    .next = Elige otro nombre.
reason-name_looks_taken = Otra persona tiene el nombre «{ $theirs }», que se parece a «{ $name }».
    .next = Elige otro nombre.
reason-name_not_held = { $held_by ->
    [one] Solo { $held_by } ordenador de la red guarda el nombre; hacen falta { $needed }.
   *[other] Solo { $held_by } ordenadores de la red guardan el nombre; hacen falta { $needed }.
}
    .next = Prueba otra vez dentro de un minuto.
reason-yourself = Eso eres tú.
    .next = Llama a Echo para oírte.
reason-no_network = No se llega a ningún ordenador de la red.
    .next = Comprueba tu conexión a la red; Silbo sigue intentándolo.
reason-cannot_be_called = Ahora mismo nadie puede llamarte.
    .next = Mira en «Red» qué hay que cambiar.
reason-already_in_call = Ya hay una llamada en curso.
    .next = Cuelga primero.
reason-no_call = No hay ninguna llamada a la que aplicarlo.
    .next = Espera una llamada, o haz una.
reason-no_camera = No hay nadie que pueda verte.
    .next = Llama a una persona: Echo oye, pero no ve nada.
reason-called_meanwhile = { $name } ha llamado.
    .next = Estabas en una llamada.
reason-full = La lista está llena: caben como mucho { $most } entradas.
    .next = Quita las entradas que ya no necesites.
reason-port_in_use = Otro programa ocupa el puerto de { $address }.
    .next = Cierra el programa que lo usa y vuelve a abrir Silbo.
reason-port_forbidden = El sistema no deja que Silbo escuche en { $address }: los puertos por debajo de 1024 necesitan un permiso.
    .next = Elige un puerto a partir de 1024.
reason-not_our_address = Ninguna interfaz de red de este ordenador tiene la dirección de { $address }.
    .next = Elige una dirección que tenga este ordenador.
reason-profile_locked = Otro Silbo está usando el perfil { $path }.
    .next = Cierra el otro, o elige otro perfil.
reason-too_many_attached = Al Silbo que tiene este perfil le piden demasiado a la vez.
    .next = Prueba otra vez dentro de un momento.
reason-profile_unreadable = No se puede usar el perfil { $path }: { $why }.
    .next = Comprueba que la carpeta existe, que es tuya y que el disco no está lleno.
reason-disk_full = El disco está lleno, así que no se puede guardar nada nuevo.
    .next = Haz sitio en el disco y hazlo otra vez.
reason-profile_too_new = El perfil { $path } lo escribió una versión posterior de Silbo.
    .next = Actualiza Silbo.
reason-database_damaged = La base de datos del perfil está dañada; se ha apartado en { $moved_to }, no se ha borrado nada.
    .next = Sigue con una base de datos vacía (tu clave se conserva), o pon en su lugar una copia de seguridad.
reason-window = No se ha podido abrir la ventana: { $why }.
    .next = Ábrela dentro de una sesión de escritorio.
reason-internal = Algo ha ido mal: { $why }.
    .next = Prueba otra vez; si vuelve a pasar, avísanos, por favor.
reason-engine_busy = Silbo está ocupado y no ha hecho caso.
    .next = Pulsa otra vez, por favor.

## Por qué no sirven una clave, una frase de paso, una copia o las palabras de recuperación

custody-sealed = El perfil { $path } está cerrado con una frase de paso.
    .next = Abre Silbo con la frase de paso.
custody-wrong_passphrase = { $path } no se abre con esta frase de paso, o ha sido alterado.
    .next = Prueba con la frase con que se selló; si es esa, usa otra copia del archivo.
custody-weak_passphrase = Esta frase de paso es demasiado fácil de adivinar, o demasiado larga.
    .next = Elige varias palabras que no tengan que ver entre sí: cuestan de adivinar y se recuerdan bien.
custody-no_passphrase = Hace falta una frase de paso.
    .next = Elige una y guárdala donde la vuelvas a encontrar.
custody-passphrase_file = No se puede leer la frase de paso de { $path }: { $why }.
    .next = Comprueba que sea ese archivo y que sea texto.
custody-unreadable = No se puede leer { $path }: { $why }.
    .next = Usa otra copia del archivo.
custody-no_profile = Todavía no hay ningún perfil en { $path }.
    .next = Abre Silbo una vez para crear uno.
custody-not_empty = En { $path } ya hay alguien; nunca se pone a otra persona en su lugar.
    .next = Elige una carpeta vacía.
custody-file = No se puede usar el archivo { $path }: { $why }.
    .next = Comprueba el nombre, y que haya sitio y permiso para escribir.
custody-file_exists = El archivo { $path } ya existe; no se ha escrito nada.
    .next = Elige otro nombre.
custody-words_number = Las palabras de recuperación son 24, y estas son { $count }.
    .next = Compáralas con las que apuntaste.
# $places son números separados por comas.
custody-words_unknown = Estas no están en la lista de palabras: { $places }.
    .next = Mira cómo se escriben donde las apuntaste.
custody-words_checksum = Cada palabra está en la lista, pero alguna es distinta de la que era, o el orden es otro.
    .next = Compáralas con las que apuntaste.
custody-words_another = Estas palabras son de otra persona.
    .next = Busca el papel de este perfil.

## Por qué no se sabe si Silbo arranca al iniciar sesión

autostart-unreadable = No se ha podido leer en { $path } si Silbo arranca al iniciar sesión: { $why }.
    .next = Permite que tu usuario lea ese archivo y abre Silbo otra vez.
autostart-unwritable = No se ha podido cambiar en { $path } lo que arranca al iniciar sesión: { $why }.
    .next = Permite que tu usuario escriba en esa carpeta y vuelve a intentarlo.
autostart-unnameable = La ruta { $path } tiene un signo que no puede estar en la lista de lo que arranca al iniciar sesión.
    .next = Muévela a una carpeta de nombre más sencillo y vuelve a intentarlo.

## Por qué ninguna tecla silencia desde otras ventanas

mute_key-taken = Otro programa se ha quedado con { $keys }, y no silencia desde otras ventanas.
    .next = Cierra ese programa o dale otras teclas; funcionará desde la próxima llamada. En esta ventana silencia Ctrl+M.
mute_key-no_key = Ninguna tecla de este teclado da una M, y { $keys } no silencia desde otras ventanas.
    .next = Añade una distribución con letras latinas en los ajustes de tu sistema.
mute_key-server = { $keys } no silencia desde otras ventanas: { $why }.
    .next = En esta ventana silencia Ctrl+M. Se volverá a intentar en la próxima llamada.

## A qué espera una llamada

waiting-reply = Todavía no ha llegado nada del otro lado.
    .next = Sigue intentándolo; quizá acaba de perder la conexión, o aún no te conoce.
waiting-path = Aún no se ha encontrado un camino entre los dos ordenadores.
    .next = Sigue intentándolo; algunas redes retienen las llamadas, y entonces tarda más.

## Por qué no se llega a nadie

offline-nobody_known = No se conoce ningún ordenador de la red.
    .next = Pide una invitación a un amigo y pégala en «Busca o añade a alguien».
offline-nobody_answers = Ningún ordenador de la red responde.
    .next = Comprueba tu conexión a la red; Silbo sigue intentándolo.
offline-incompatible = Los ordenadores que responden son de otra red o de otra versión.
    .next = Actualiza Silbo, o pide a un amigo una invitación nueva.
offline-full = Los ordenadores que responden no tienen sitio.
    .next = Espera un minuto; Silbo sigue intentándolo.

## Por qué no sirve una invitación

bad_invite-scheme = Esto no es una invitación: no empieza como ellas.
    .next = Copia otra vez el enlace, entero.
bad_invite-too_long = Esto es más largo que cualquier invitación.
    .next = Copia otra vez el enlace, y nada más.
bad_invite-malformed = A esta invitación le falta algo, o lleva un carácter equivocado.
    .next = Copia otra vez el enlace, entero.
bad_invite-version = Esta invitación se hizo con una versión posterior de Silbo.
    .next = Actualiza Silbo.
bad_invite-network = Esta invitación es de otra red.
    .next = Pide a tu amigo una nueva.
bad_invite-address = Esta invitación nombra una dirección en la que no se llega a nadie.
    .next = Pide a tu amigo una nueva.
bad_invite-signature = Esta invitación la ha cambiado alguien que no la hizo.
    .next = Pide a tu amigo una nueva, por otro canal.
bad_invite-other = Esta invitación no se puede usar.
    .next = Pide a tu amigo una nueva.

## Cuánto le falta a este ordenador para ayudar

standing-none = Este ordenador no se ofrece a ayudar a otros.
    .next = Elige arriba qué puede hacer.
standing-proving = Puede ayudar; otros prueban si llegan a este ordenador.
    .next = Esto tarda unos minutos.
standing-stand_by = Puede ayudar y se llega a él; servirá cuando haga falta.
    .next = Déjalo encendido; empieza solo.
standing-serving = Este ordenador ayuda a otros.
    .next = Déjalo encendido todo el tiempo que quieras.
standing-draining = Este ordenador deja de ayudar; aquellos a quienes ayuda se mudan a otro.
    .next = Espera un minuto antes de apagarlo.
standing-cooling_down = Este ordenador ha ayudado, y ahora descansa.
    .next = Déjalo encendido; vuelve a empezar solo.
standing-on_battery = No ayuda mientras va con batería.
    .next = Enchúfalo; sigue solo.
standing-metered = No ayuda porque su tráfico cuesta dinero.
    .next = Di abajo que tu tráfico es gratis, en una conexión donde lo sea.
standing-hours = Ahora no ayuda: está fuera de las horas que elegiste.
    .next = Déjalo encendido; empieza solo.
standing-no_address = Aún no ayuda: los ayudantes no se ponen de acuerdo en qué dirección lo ven.
    .next = Espera un minuto.
standing-uptime = Todavía no ayuda: hacen falta dos horas sin pausa, y 84 horas en una semana.
    .next = Déjalo encendido; empieza solo.
standing-address_age = Todavía no ayuda: su dirección pública tiene que haber sido la misma durante un día.
    .next = Déjalo encendido; empieza solo.
standing-upload = No ayuda: su conexión a internet es demasiado lenta para lo acordado, o nadie ha dicho lo rápida que es.
    .next = Di abajo cuánto puede enviar: 2 Mbit/s para guardar nombres, 10 Mbit/s para pasar llamadas.
standing-unreachable = No ayuda: los demás no pueden llegar a este ordenador desde fuera.
    .next = En el router, deja que los dispositivos abran puertos ellos mismos (UPnP), o redirige un puerto a este ordenador.
