from django.urls import path

from coproduce.hearback import receipts, views

app_name = "hearback"
urlpatterns = [
    path("what-happened/", views.what_happened, name="what_happened"),
    path("what-happened/<int:pk>/answer/", views.answer, name="answer"),
    path("reply/<str:token>/", views.reply, name="reply"),
    path("stop/<str:token>/", views.stop, name="stop"),
    path("receipts/notify/", receipts.notify, name="notify_receipt"),
    path("receipts/text/", receipts.text, name="text_receipt"),
    path("changes/<int:change>/tell/", views.write, name="write"),
    path("who-has-heard/", views.who_has_heard, name="who_has_heard"),
    path("who-has-heard/<int:pk>/", views.update, name="update"),
    path("who-has-heard/<int:pk>/sending/", views.sending, name="sending"),
    path("who-has-heard/<int:pk>/notice.pdf", views.wall_notice, name="wall"),
    path("who-has-heard/<int:pk>/latecomers/", views.tell_latecomers, name="tell_latecomers"),
    path("who-has-heard/to-tell/<str:way>/", views.to_tell, name="to_tell"),
    path("who-has-heard/told/<int:pk>/", views.told, name="told"),
    path("who-has-heard/told/<int:pk>/card.pdf", views.card, name="card"),
    path("who-has-heard/to-settle/", views.to_settle, name="to_settle"),
    path("who-has-heard/to-settle/<int:pk>/", views.settle, name="settle"),
    path("supporting/news/<int:pk>/", views.pass_on, name="pass_on"),
    path("who-has-heard/letters/", views.letters, name="letters"),
    path("who-has-heard/letters/make/<int:hub>/", views.make_letters, name="make_letters"),
    path("who-has-heard/letters/<int:pk>/letters.pdf", views.letters_pdf, name="letters_pdf"),
    path("who-has-heard/letters/<int:pk>/posted/", views.post_letters, name="post_letters"),
]
